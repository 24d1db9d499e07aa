// Shows a file anew as soon as a choice about how it is read changes; without this, the button "Show the file again" does.
const form = document.querySelector("form[data-live]");
let asked = null;

async function show(changed) {
  asked?.abort();
  asked = new AbortController();
  const body = new FormData(form);
  body.set("show", "again");
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.dataset.live, { method: "POST", body, signal: asked.signal });
    // Anything else than the form (the login, a run that has gone on) is a page of its own.
    if (answer.redirected || !answer.ok) {
      window.location.reload();
      return;
    }
    const token = form.querySelector("[name=csrfmiddlewaretoken]");
    form.innerHTML = await answer.text();
    form.prepend(token);
    form.removeAttribute("aria-busy");
    document.getElementById(changed)?.focus({ preventScroll: true });
  } catch (error) {
    if (error.name !== "AbortError") form.removeAttribute("aria-busy");
  }
}

form?.addEventListener("change", (event) => show(event.target.id));

// What was chosen before this script was there, or is brought back by the browser on the way back, is shown, too.
const usual = (select) => select.querySelector("option[selected]") ?? select.options[0];
const chosen = [...(form?.querySelectorAll("select") ?? [])].find((select) => select.selectedOptions[0] !== usual(select));
if (chosen) show(chosen.id);

// Fills in the cards that take seconds after a change: the page is there at once, and asks for them.
const waiting = document.querySelectorAll("[data-waiting]");

async function fill(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) {
    document.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(part);
  }
}

if (waiting.length) {
  fill(document.querySelector("[data-looked-for]").dataset.lookedFor).catch(() => {
    for (const each of waiting) each.textContent = "It did not come: reload the page.";
  });
}

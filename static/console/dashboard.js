// What a page asks for by itself once it is there, and its map is drawn: the cards that take seconds after a change.
// Then what was counted is kept for the trend, where the page has a form for that.
const waiting = document.querySelectorAll("[data-waiting]");
const MAP_SECONDS = 4;

// The map is looked at first; counting beside it would make it come later.
function afterTheMap() {
  const map = document.querySelector("[data-map]");
  if (!map || map.dataset.drawn) return Promise.resolve();
  return new Promise((resolve) => {
    map.addEventListener("map-drawn", resolve, { once: true });
    setTimeout(resolve, MAP_SECONDS * 1000);
  });
}

async function fill(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) {
    document.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(part);
  }
}

async function keep() {
  const form = document.querySelector("form[data-keep]");
  if (!form) return;
  await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  form.remove();
}

await afterTheMap();
if (waiting.length) {
  await fill(document.querySelector("[data-looked-for]").dataset.lookedFor).catch(() => {
    for (const each of waiting) each.textContent = "It could not be loaded: reload the page.";
  });
}
await keep();

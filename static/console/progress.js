// Watches a run: asks how far it is every second, and opens the page anew when its state changes.
const box = document.querySelector("[data-progress]");
const bar = box?.querySelector("progress");
const PAUSE = 1000;
const MOST_FAILURES = 30;
let failures = 0;

function show(state) {
  box.querySelector("[data-words]").textContent = state.words;
  box.querySelector("[data-numbers]").textContent = state.numbers;
  const warning = box.querySelector("[data-warning]");
  warning.textContent = state.warning;
  warning.hidden = !state.warning;
  if (state.percent === null) bar.removeAttribute("value");
  else bar.value = state.percent;
}

async function ask() {
  try {
    const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.redirected) {
      // To the login: a restore has taken the session along. Who logs in again finds how it ended.
      window.location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const state = await answer.json();
    failures = 0;
    if (state.status !== box.dataset.status) {
      // On its own page the run leads to what it did; the dashboard stays.
      if (state.next && !("stay" in box.dataset)) window.location.assign(state.next);
      else window.location.reload();
      return;
    }
    show(state);
  } catch {
    failures += 1;
  }
  // After a while without an answer (server gone) the person may reload.
  if (failures < MOST_FAILURES) setTimeout(ask, PAUSE);
}

if (box) setTimeout(ask, PAUSE);

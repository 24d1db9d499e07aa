// The keys / and Ctrl-K (Cmd-K) lead to the search box of the header; Escape, or a click beside it, closes a menu.
const box = document.querySelector("#header-search input");

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
  const command = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (!slash && !command) return;
  event.preventDefault();
  box.focus();
  box.select();
});

const closeMenus = (but) => {
  for (const menu of document.querySelectorAll("details.more-tools[open]")) if (menu !== but) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.more-tools")));
document.addEventListener("keyup", (event) => { if (event.key === "Escape") closeMenus(); });

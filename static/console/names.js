// Names that Django's own widgets lack: a choice by typing is called as its label, and an icon with a name is an image.
function giveNames() {
  for (const box of document.querySelectorAll(".select2-selection[role=combobox]")) {
    const select = box.closest(".select2")?.previousElementSibling;
    const label = select?.id && document.querySelector(`label[for="${select.id}"]`);
    if (!label) continue;
    label.id ||= `${select.id}_label`;
    const known = (box.getAttribute("aria-labelledby") ?? "").split(" ").filter((name) => name && name !== label.id);
    box.setAttribute("aria-labelledby", [label.id, ...known].join(" "));
    box.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
  }
  for (const icon of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) icon.setAttribute("role", "img");
}

// After the scripts of Django, some of which wait for jQuery, which calls in order, and some for all of the page.
window.django?.jQuery?.(giveNames);
addEventListener("load", giveNames);

// Every page works without this.  It adds buttons that copy, and puts the cursor into the search at "/".
"use strict";
for (const block of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const name = block.dataset.copy;
  if (name) button.setAttribute("aria-label", `Copy: ${name}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent.trim());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  block.append(button);
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
  const field = document.querySelector("input[type=search]");
  if (field) { event.preventDefault(); field.focus(); field.select(); }
});
// Whoever chose a tool once sees its line first on the next page.
for (const radio of document.querySelectorAll(".ways input")) {
  try {
    if (localStorage.getItem("accord-tool") === radio.value) radio.checked = true;
    radio.addEventListener("change", () => localStorage.setItem("accord-tool", radio.value));
  } catch { break; }
}

"use strict";
const button = document.getElementById("copy");
if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("exchange").textContent);
    button.textContent = "Copied";
  });
}

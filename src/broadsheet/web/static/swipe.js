// On a touch screen a story is hidden by drawing it to the left and saved by drawing it to the right. It presses the buttons
// that stand under the story, so that both ways do the same, and both are undone in the same way.
"use strict";
(() => {
  const list = document.getElementById("stories");
  if (!list) return;
  const EDGE = 24; // pixels at either side that belong to the system's own gestures
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let drawn = null;

  function button(card, kinds) {
    return [...card.querySelectorAll(".actions button")].find((one) => kinds.includes(one.value)) || null;
  }

  function far() { return Math.min(120, innerWidth / 3); }

  function rest(card) {
    delete card.dataset.drawn;
    for (const part of card.children) part.style.transform = "";
  }

  list.addEventListener("pointerdown", (down) => {
    const card = down.target.closest(".card:not(.folded)");
    if (down.pointerType !== "touch" || !down.isPrimary || !card || down.clientX < EDGE || down.clientX > innerWidth - EDGE) return;
    drawn = { card, x: down.clientX, y: down.clientY, id: down.pointerId, by: 0, sure: false };
  });

  list.addEventListener("pointermove", (move) => {
    if (!drawn || move.pointerId !== drawn.id) return;
    const across = move.clientX - drawn.x;
    if (!drawn.sure) {
      if (Math.abs(across) < 14) return;
      if (Math.abs(across) < 2 * Math.abs(move.clientY - drawn.y)) { drawn = null; return; } // it scrolls
      drawn.sure = true;
      drawn.card.setPointerCapture(move.pointerId);
    }
    drawn.by = across;
    const { card } = drawn;
    if (Math.abs(across) < far()) delete card.dataset.drawn;
    else card.dataset.drawn = across < 0 ? _("Hide") : button(card, ["saved"]) ? _("Save") : _("Saved");
    if (!calm.matches) for (const part of card.children) part.style.transform = `translateX(${Math.round(across / 2)}px)`;
  });

  function end(up) {
    if (!drawn || up.pointerId !== drawn.id) return;
    const { card, by, sure } = drawn;
    drawn = null;
    if (!sure) return;
    rest(card);
    if (up.type !== "pointerup" || Math.abs(by) < far()) return;
    const act = button(card, by < 0 ? ["hidden"] : ["saved"]);
    if (act) act.click();
    // the finger was on a link perhaps: that it was lifted there opens nothing
    const swallow = (click) => { if (card.contains(click.target)) { click.preventDefault(); click.stopPropagation(); } };
    addEventListener("click", swallow, { capture: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 100);
  }
  list.addEventListener("pointerup", end);
  list.addEventListener("pointercancel", end);
})();

// Reads an article aloud with a voice that the device itself has. A voice that a company speaks from afar would be sent the
// text: none is ever used, and where there is no other the button does not appear.
"use strict";
(() => {
  const button = document.querySelector("[data-listen]");
  const text = document.querySelector("article.text");
  if (!button || !text || !("speechSynthesis" in window)) return;
  const body = text.querySelector(".body");
  const language = (body.lang || text.querySelector("h1").lang || "en").toLowerCase();
  const short = (tag) => tag.toLowerCase().split(/[-_]/)[0];
  let speaking = false;
  let round = 0; // what was begun before the last press says nothing any more

  function voice() {
    const own = speechSynthesis.getVoices().filter((one) => one.localService && short(one.lang) === short(language));
    return own.find((one) => one.lang.toLowerCase().replace("_", "-") === language) || own.find((one) => one.default) || own[0];
  }

  function parts() {
    const blocks = [...body.querySelectorAll("p, li, h2, h3, h4, h5, h6, blockquote, figcaption, dt, dd, td, th")];
    const whole = blocks.filter((one) => one.textContent.trim() && !blocks.some((other) => other !== one && one.contains(other)));
    return [text.querySelector("h1"), ...(whole.length ? whole : [body])].filter((one) => one.textContent.trim());
  }

  function mark(part) {
    for (const one of text.querySelectorAll(".spoken")) one.classList.remove("spoken");
    if (part) part.classList.add("spoken");
  }

  function stop() {
    round += 1;
    speechSynthesis.cancel();
    mark(null);
    button.textContent = _("Listen");
    speaking = false;
  }

  function say(left, mine) {
    if (mine !== round) return;
    if (!left.length) { stop(); return; }
    const [part, ...rest] = left;
    const words = new SpeechSynthesisUtterance(part.textContent.trim());
    words.voice = voice();
    words.lang = words.voice ? words.voice.lang : language;
    words.onend = () => say(rest, mine);
    words.onerror = () => { if (mine === round) stop(); };
    mark(part);
    speechSynthesis.speak(words);
  }

  button.addEventListener("click", () => {
    if (speaking) { stop(); return; }
    stop();
    button.textContent = _("Stop");
    speaking = true;
    say(parts(), round);
  });
  const offer = () => { button.hidden = !voice() || !body.textContent.trim(); };
  speechSynthesis.addEventListener("voiceschanged", offer);
  addEventListener("pagehide", stop);
  offer();
})();

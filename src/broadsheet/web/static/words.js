// What the scripts say, in the page's language: English is written where it is said, other languages come with the page.
"use strict";
const language = document.documentElement.lang || "en";
const { _, ngettext } = (() => {
  const told = document.getElementById("words");
  const words = told ? JSON.parse(told.textContent) : {};
  const order = ["zero", "one", "two", "few", "many", "other"];
  const rules = new Intl.PluralRules(language);
  const forms = order.filter((form) => rules.resolvedOptions().pluralCategories.includes(form));
  const fill = (message, given) => message.replace(/\{(\w+)\}/g, (whole, name) => (name in given ? given[name] : whole));
  return {
    _: (message, given = {}) => fill(words[message] || message, given),
    ngettext: (one, many, n) => {
      const known = words[one];
      const english = n === 1 ? one : many;
      const message = known ? known[Math.min(Math.max(forms.indexOf(rules.select(n)), 0), known.length - 1)] : english;
      return fill(message, { n: n.toLocaleString(language) });
    },
  };
})();

// The reader's search and narrowing. Pages are read without it. It knows the folder alone and asks no network: what it needs to know
// it loads as scripts of the folder, since a page from a stick may not read files.
"use strict";

const portolan = (() => {
  const SHOWN_MAX = 200;
  const SCRIPTS_MAX = 40;
  const root = () => document.body.dataset.root;

  // ---- Scripts of the folder, each loaded once.

  const loading = new Map();
  const given = { records: null, search: null, words: new Map() };

  function load(name) {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = root() + "reader/" + name;
        script.onload = resolve;
        script.onerror = () => reject(new Error(name));
        document.head.append(script);
      }));
    }
    return loading.get(name);
  }

  // ---- Words, as protocol/src/folding.rs and search_words.rs of the program make them.

  const ARABIC = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ئ": "ي", "ة": "ه", "ؤ": "و", "ک": "ك", "\u0640": "",
  };
  const SPELLED_OUT = { "œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ı": "i" };

  function arabic(letter) {
    const code = letter.codePointAt(0);
    if (code >= 0x660 && code <= 0x669) return String(code - 0x660);
    if (code >= 0x6f0 && code <= 0x6f9) return String(code - 0x6f0);
    return ARABIC[letter] ?? letter;
  }

  function isIn(ranges, letter) {
    const code = letter.codePointAt(0);
    for (let i = 0; i < ranges.length; i += 2) {
      if (code >= ranges[i] && code <= ranges[i + 1]) return true;
    }
    return false;
  }

  function fold(text) {
    const plain = Array.from(text.normalize("NFKD"), arabic).join("");
    const letters = Array.from(plain).filter((letter) => !isIn(given.search.accents, letter));
    const lower = Array.from(letters.map((letter) => letter.toLowerCase()).join(""));
    return lower.map((letter) => SPELLED_OUT[letter] ?? letter).join("");
  }

  function withoutArticle(word) {
    const article = given.search.articles.find((known) => word.startsWith(known));
    const rest = article === undefined ? "" : word.slice(article.length);
    return Array.from(rest).length > 2 ? rest : word;
  }

  function words(text) {
    const found = [];
    let word = "";
    const end = () => {
      if (word) found.push(Array.from(withoutArticle(word)).slice(0, given.search.letters).join(""));
      word = "";
    };
    for (const letter of fold(text)) {
      if (!/[\p{Alphabetic}\p{N}]/u.test(letter) && !isIn(given.search.joined, letter)) {
        end();
      } else if (isIn(given.search.alone, letter)) {
        end();
        word = letter;
        end();
      } else {
        word += letter;
      }
    }
    end();
    return found;
  }

  // ---- Which records have a word, or one that begins so.

  async function scoresOf(word) {
    const first = given.search.first;
    // One letter is the beginning of too much.
    const isWholeWanted = Array.from(word).length < 2;
    const mayHold = (known) => known <= word || (!isWholeWanted && known.startsWith(word));
    const numbers = [];
    for (let i = Math.max(0, first.findLastIndex((known) => known <= word)); i < first.length; i++) {
      if (!mayHold(first[i]) || numbers.length === SCRIPTS_MAX) break;
      numbers.push(i);
    }
    await Promise.all(numbers.map((number) => load(`words/${number}.js`)));
    const scores = new Map();
    for (const number of numbers) {
      for (const line of given.words.get(number).split("\n")) {
        if (!line.startsWith(word)) continue;
        const [known, ...steps] = line.split(" ");
        const isWhole = known === word;
        if (!isWhole && isWholeWanted) continue;
        let place = 0;
        for (const step of steps) {
          place += parseInt(step, 36);
          const score = (isWhole ? 2 : 1) * (place % 2 ? 5 : 1);
          const record = place >> 1;
          scores.set(record, Math.max(score, scores.get(record) ?? 0));
        }
      }
    }
    return scores;
  }

  // Records that have all words, by rank: the best first, then by title.
  async function find(question) {
    await Promise.all([load("search.js"), load("records.js")]);
    const asked = [...new Set(words(question))];
    if (asked.length === 0) return given.records.map((_, record) => record);
    const all = await Promise.all(asked.map(scoresOf));
    const sum = new Map();
    for (const [record, score] of all[0]) {
      const others = all.slice(1).map((scores) => scores.get(record));
      if (others.every((other) => other !== undefined)) {
        sum.set(record, others.reduce((total, other) => total + other, score));
      }
    }
    return [...sum.keys()].sort((one, other) => sum.get(other) - sum.get(one) || one - other);
  }

  // ---- What is asked for stands in the address, behind the #.

  function asked() {
    return new URLSearchParams(location.hash.slice(1));
  }

  function passes(record, wanted) {
    const [, , , , kind, , languages, countries, areas] = given.records[record];
    const is = (name, values) => !wanted.get(name) || values.includes(wanted.get(name));
    return is("type", [kind || "-"]) && is("language", languages) && is("country", countries) && is("area", areas);
  }

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function kindName(kind) {
    const options = document.querySelectorAll("#filters select[name=type] option");
    const option = [...options].find((known) => known.value === (kind || "-"));
    return option ? option.textContent.replace(/ \(\d+\)$/, "") : kind;
  }

  function badge(marking) {
    if (marking === null) return "";
    const known = { CLEAR: "clear", GREEN: "green", AMBER: "amber", "AMBER+STRICT": "amber" };
    return element("span", { className: "tlp " + (known[marking] ?? "red"), dir: "ltr" }, "TLP:" + marking);
  }

  function item(record) {
    const [id, title, lang, dir, kind, marking, languages] = given.records[record];
    const link = element("a", { href: `${root()}records/${id}.html`, lang, dir }, title || document.body.dataset.untitled);
    const told = element("span", { className: "told" }, element("bdi", {}, kindName(kind)), " · ", element("bdi", {}, languages.join(" ")));
    return element("li", {}, link, " ", told, " ", badge(marking));
  }

  let turn = 0;

  async function show() {
    const results = document.getElementById("results");
    if (!results) return;
    const wanted = asked();
    const mine = ++turn;
    const isAsked = [...wanted.values()].some((value) => value.trim());
    fill(wanted);
    document.getElementById("list").hidden = isAsked;
    results.hidden = !isAsked;
    if (!isAsked) return;
    const texts = document.body.dataset;
    const [heading, list, more] = [results.querySelector("h2"), results.querySelector("ul"), results.querySelector(".more")];
    try {
      const found = (await find(wanted.get("q") ?? "")).filter((record) => passes(record, wanted));
      // Another question came meanwhile.
      if (mine !== turn) return;
      heading.textContent = texts.found.replace("{n}", found.length);
      list.replaceChildren(...found.slice(0, SHOWN_MAX).map(item));
      more.textContent = found.length === 0 ? texts.nothing
        : found.length > SHOWN_MAX ? texts.first.replace("{n}", SHOWN_MAX) : "";
    } catch (error) {
      heading.textContent = texts.failed;
      list.replaceChildren();
      more.textContent = error.message;
    }
  }

  function fill(wanted) {
    for (const field of document.querySelectorAll("#search [name], #filters [name]")) {
      if (field !== document.activeElement) field.value = wanted.get(field.name) ?? "";
    }
  }

  function ask() {
    const wanted = new URLSearchParams();
    for (const field of document.querySelectorAll("#search [name], #filters [name]")) {
      if (field.value.trim()) wanted.set(field.name, field.value.trim());
    }
    const address = "#" + wanted;
    if (!document.getElementById("results")) {
      location.href = root() + "index.html" + address;
    } else {
      history.replaceState(null, "", address);
      show();
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const [search, filters] = [document.getElementById("search"), document.getElementById("filters")];
    search.hidden = false;
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      ask();
    });
    if (filters) {
      filters.hidden = false;
      let waiting;
      search.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(ask, 200);
      });
      filters.addEventListener("change", ask);
      filters.addEventListener("submit", (event) => event.preventDefault());
      filters.addEventListener("reset", () => {
        search.reset();
        setTimeout(ask);
      });
      addEventListener("hashchange", show);
      show();
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        document.getElementById("q").focus();
      }
    });
  });

  // What the scripts of the folder call.
  return {
    records: (rows) => { given.records = rows; },
    search: (manifest) => { given.search = manifest; },
    words: (number, lines) => { given.words.set(number, lines); },
    // For comparison with the program that wrote the words.
    taken: async (text) => {
      await load("search.js");
      return words(text);
    },
  };
})();

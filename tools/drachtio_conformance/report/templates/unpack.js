// Makes of what packing.py has packed the cases that case.js draws.
const unpack = (() => {
  "use strict";
  const FIRST = 0xe100, LATEST = 16, LONGEST = 64;  // of packing.py
  const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

  // The octets of "LENGTH BASE85".
  const octets = (text) => {
    const [length, digits] = text.trim().split(" ");
    const words = new DataView(new ArrayBuffer(Math.ceil(length / 4) * 4));
    for (let at = 0; at < digits.length; at += 5) {
      let word = 0;
      for (let place = at; place < at + 5; place++) {
        word = word * 85 + (place < digits.length ? ALPHABET.indexOf(digits[place]) : 84);
      }
      words.setUint32(at / 5 * 4, word);
    }
    return new Uint8Array(words.buffer, 0, Number(length));
  };

  const columns = async (text) => {
    const stream = new Blob([octets(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };

  const rows = (table) => {
    const names = Object.keys(table);
    return table[names[0]].map((_, place) => Object.fromEntries(names.map((name) => [name, table[name][place]])));
  };

  // The cases, each with its steps and its events, in which words stand for themselves.
  const cases = (data) => {
    const [steps, events, messages] = [data.steps, data.events, data.messages].map(rows);
    let [step, event] = [0, 0];
    const latest = Array(LATEST).fill("");
    const word = (told) => {
      const code = told.charCodeAt(0) - FIRST;
      const which = code < 0 ? LATEST - 1 : Math.floor(code / LONGEST);
      const [other] = latest.splice(which, 1);
      latest.unshift(code < 0 ? told : other.slice(0, code % LONGEST) + told.slice(1));
      return latest[0];
    };
    return rows(data.cases).map((one) => {
      const words = one.words ? one.words.split(" ").map(word) : [];
      const whole = (text) => text.replace(/[\ue100-\uf8ff]/g, (character) => words[character.charCodeAt(0) - FIRST]);
      const seen = events.slice(event, event += one.events).map(({ at, message: number }) => {
        const message = messages[number];
        const text = whole(message.text);
        return {
          ...message, at, summary: whole(message.summary), text,
          names: data.names[message.names], size: message.size < 0 ? text.length : message.size,
        };
      });
      return {
        ...one, reason: whole(one.reason), clauses: one.clauses ? one.clauses.split(" ") : [],
        rerun: one.rerun.replace("\ue004", () => one.name), events: seen,
        lifelines: one.lifelines ? one.lifelines.split("\n") : [],
        steps: steps.slice(step, step += one.steps).map((each) => ({
          ...each, sentence: whole(each.sentence), expected: whole(each.expected),
          actual: typeof each.actual === "string" ? whole(each.actual) : each.actual,
        })),
      };
    });
  };
  return { columns, cases };
})();

// The display of foreign texts. It needs no browser.
import { test } from "node:test";
import assert from "node:assert/strict";
import { visible, visibleLines } from "../assets/ui/visible.js";

test("invisible and direction characters become escapes", () => {
  const texts = [
    ["pay \u202elive", "pay \\u202elive"],
    ["a\u200bb", "a\\u200bb"],
    ["a\u200db", "a\\u200db"],
    ["a\u200cb", "a\\u200cb"],
    ["\u2066x\u2069", "\\u2066x\\u2069"],
    ["\u061cx\u200fy\ufeff", "\\u061cx\\u200fy\\ufeff"],
    ["a\nb\tc\rd\u0000\u001b[0m\u0085", "a\\nb\\tc\\rd\\u0000\\u001b[0m\\u0085"],
    ["a\u2028b", "a\\u2028b"],
    ["a\u3164b\u115f\u2800", "a\\u3164b\\u115f\\u2800"],
    ["a\u{e0041}b", "a\\u{e0041}b"],
    ["a\ufe0fb\u034f", "a\\ufe0fb\\u034f"],
    ["x\u{e0100}", "x\\u{e0100}"],
    ["می\u200c\u200cخواهم", "می\u200c\\u200cخواهم"],
    ["👩\u200dx", "👩\\u200dx"],
    ["x\u200d👩", "x\\u200d👩"],
    ["می\u202eخواهم", "می\\u202eخواهم"],
  ];
  for (const [text, shown] of texts) {
    assert.equal(visible(text), shown);
    assert.equal(visible(shown), shown);
  }
  assert.equal(visible(null), "");
});

test("characters that emoji and scripts need are kept", () => {
  const texts = [
    "👩\u200d💻",
    "👨\u200d👩\u200d👧\u200d👦",
    "👩🏽\u200d🚀",
    "🏳\ufe0f\u200d🌈",
    "👩\u200d❤\ufe0f\u200d💋\u200d👨",
    "🧑🏿\u200d🤝\u200d🧑🏻",
    "1\ufe0f\u20e3",
    "©\ufe0f",
    "✔\ufe0e",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} and \u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "می\u200cخواهم",
    "ه\u200d.ش",
    "کتاب\u200cها",
    "क्\u200dष",
    "क्\u200cष",
    "শ্রী র\u200d্যা",
    "ශ්\u200dරී",
    "ನ್\u200cಸ್",
    "ന്\u200d",
    "葛\u{e0100}",
    "ᠠ\u180b",
    "Müller – naïve “quotes” …",
    "日本語",
    "עברית",
    "العربية",
  ];
  for (const text of texts) assert.equal(visible(text), text);
});

test("line breaks are kept in texts with lines", () => {
  assert.equal(visibleLines("one\r\ntwo\u202e\n\tthree"), "one\ntwo\\u202e\n\\tthree");
});

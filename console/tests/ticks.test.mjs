// The positions of axis marks. It needs no browser. The zone has daylight saving time.
process.env.TZ = "Europe/Berlin";
import { test } from "node:test";
import assert from "node:assert/strict";

const { countTicks, durationMark, durationRange, durationTicks, timeMarks, timeTicks } =
  await import("../assets/ui/ticks.js");

const seconds = (text) => new Date(text).getTime() / 1000;

test("numbers have marks in whole steps of 1, 2 and 5", () => {
  assert.deepEqual(countTicks(0, 4, 4), [0, 1, 2, 3, 4]);
  assert.deepEqual(countTicks(0, 4, 20), [0, 1, 2, 3, 4]);
  assert.deepEqual(countTicks(0, 140, 5), [0, 50, 100]);
  assert.deepEqual(countTicks(0, 7_300, 5), [0, 2_000, 4_000, 6_000]);
  assert.deepEqual(countTicks(80, 100, 5), [80, 85, 90, 95, 100]);
  assert.deepEqual(countTicks(0, 0, 5), [0]);
  assert.deepEqual(countTicks(0, 12, 0), [0]);
});

test("durations have marks in common units", () => {
  const marks = (min, max, most) => durationTicks(min, max, most).map(durationMark);
  assert.deepEqual(marks(1000, 5 * 60_000, 12), ["1 s", "2 s", "5 s", "10 s", "30 s", "1 min", "2 min", "5 min"]);
  assert.deepEqual(marks(1000, 60_000, 4), ["1 s", "10 s", "1 min"]);
  assert.deepEqual(marks(5000, 86_400_000, 7), ["10 s", "1 min", "10 min", "1 h", "6 h"]);
  assert.deepEqual(marks(1, 200, 8), ["1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms"]);
  assert.deepEqual(marks(5_000, 10_000, 5), ["5 s", "6 s", "8 s", "10 s"]);
  assert.equal(durationMark(30 * 86_400_000), "30 d");
});

test("an axis of durations starts and ends at marks", () => {
  assert.deepEqual(durationRange(1_100, 129_784), [1_000, 300_000]);
  assert.deepEqual(durationRange(0, 0), [1, 2]);
  assert.deepEqual(durationRange(1_000, 1_000), [1_000, 2_000]);
  assert.deepEqual(durationRange(7, 31 * 86_400_000), [5, 90 * 86_400_000]);
  const [low, high] = durationRange(3, 1e15);
  assert.ok(low === 2 && high >= 1e15);
});

test("times have marks at round times of the viewer's zone", () => {
  const at = (from, to, most, options) => timeMarks(timeTicks(seconds(from), seconds(to), most, options));
  assert.deepEqual(at("2026-11-28T23:05:00Z", "2026-11-29T23:05:00Z", 12), [
    "02:00",
    "04:00",
    "06:00",
    "08:00",
    "10:00",
    "12:00",
    "14:00",
    "16:00",
    "18:00",
    "20:00",
    "22:00",
    "30 Nov",
  ]);
  // The bounds are hours of UTC, but midnight is in Berlin.
  assert.deepEqual(at("2026-11-22T00:00:00Z", "2026-11-30T00:00:00Z", 20, { daily: true }), [
    "23 Nov",
    "24 Nov",
    "25 Nov",
    "26 Nov",
    "27 Nov",
    "28 Nov",
    "29 Nov",
    "30 Nov",
  ]);
  assert.deepEqual(at("2026-11-29T10:00:00Z", "2026-11-29T11:00:00Z", 6), [
    "11:00",
    "11:10",
    "11:20",
    "11:30",
    "11:40",
    "11:50",
  ]);
  assert.deepEqual(at("2026-10-30T00:00:00Z", "2026-11-30T00:00:00Z", 6, { daily: true }), [
    "2 Nov",
    "9 Nov",
    "16 Nov",
    "23 Nov",
    "30 Nov",
  ]);
  assert.deepEqual(at("2025-12-15T00:00:00Z", "2026-11-30T00:00:00Z", 6, { daily: true }), [
    "Jan 2026",
    "Mar 2026",
    "May 2026",
    "Jul 2026",
    "Sept 2026",
    "Nov 2026",
  ]);
  assert.deepEqual(at("2017-01-01T00:00:00Z", "2026-11-30T00:00:00Z", 6, { daily: true }), [
    "2018",
    "2020",
    "2022",
    "2024",
    "2026",
  ]);
});

test("a day of 23 or 25 hours does not shift the marks", () => {
  const at = (from, to) => timeMarks(timeTicks(seconds(from), seconds(to), 8));
  assert.deepEqual(at("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), [
    "29 Mar",
    "03:00",
    "06:00",
    "09:00",
    "12:00",
    "15:00",
    "18:00",
    "21:00",
  ]);
  assert.deepEqual(at("2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z"), [
    "25 Oct",
    "03:00",
    "06:00",
    "09:00",
    "12:00",
    "15:00",
    "18:00",
    "21:00",
  ]);
});

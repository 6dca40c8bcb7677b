// The check of the names of options.

import { InvalidRecord } from './errors.js';

/** The names of all options of a call. The compiler reports a name that is missing here. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** Returns the options of a call. Throws a `TypeError` that suggests a name if one is unknown. */
export function checkOptions<Options extends object>(value: Options, known: Readonly<Record<string, true>>): Options {
  if (typeof value !== 'object' || value === null) throw new InvalidRecord('options', 'must be an object');
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(known, name)) throw new TypeError(`unknown option '${name}'; ${suggest(name, Object.keys(known))}`);
  }
  return value;
}

function suggest(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: countEdits(simplify(name), simplify(candidate)) }))
    .filter(({ edits }) => edits <= Math.max(1, Math.floor(0.4 * name.length)))
    .sort((one, other) => one.edits - other.edits);
  return nearest ? `did you mean '${nearest.candidate}'?` : `the options are ${known.join(', ')}`;
}

/** The name without case and separators, so that `flow_id` is near to `flowId`. */
function simplify(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** The Levenshtein distance: how many characters must be added, removed or replaced. */
function countEdits(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = previous[column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[other.length]!;
}

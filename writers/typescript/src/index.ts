export * from './errors.js';
export type { Time } from './fields.js';
export type { Outcome, Run, RunOptions, SubflowOptions } from './run.js';
export type { Branch, Fork, ForkOptions, Step, StepOptions } from './steps.js';
export { Writer, type WriterOptions } from './writer.js';

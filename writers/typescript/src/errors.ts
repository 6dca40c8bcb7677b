// What a writer raises.

/** How an execution that has ended has ended; as far as its record tells. */
export interface Ended {
  /** `null` when the run has been deleted. */
  readonly status: 'COMPLETED' | 'FAILED' | 'CANCELLED' | null;
  readonly cancelledBy: string | null;
  readonly cancelReason: string | null;
  readonly endTime: string | null;
}

/** A record that the table has refused, and why. */
export interface Refusal {
  readonly pk: string;
  readonly sk: string;
  /** DynamoDB's own words. */
  readonly message: string;
}

/** Anything that a writer raises itself. */
export class WriterError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** A parameter is not what the record format asks for. Nothing was written. */
export class InvalidRecord extends WriterError {
  constructor(
    readonly field: string,
    problem: string,
  ) {
    super(`${field} ${problem}`);
  }
}

/** A value has more JSON text than a reader would take. Nothing was written. */
export class PayloadTooLarge extends WriterError {
  constructor(
    readonly field: string,
    maximumBytes: number,
  ) {
    super(`${field} has more than ${maximumBytes} bytes of JSON`);
  }
}

/** The table has refused a record, or some since the last flush. All others are written. */
export class RecordRefused extends WriterError {
  constructor(
    readonly refusals: readonly Refusal[],
    options?: ErrorOptions,
  ) {
    super(refusals.map(({ pk, sk, message }) => `${pk} ${sk}: ${message}`).join('; '), options);
  }
}

/** The table has not answered in time. What is buffered is kept, and tried on. */
export class Unavailable extends WriterError {}

/** A run of this id belongs to another team or flow. */
export class IdTaken extends WriterError {
  constructor(readonly executionId: string) {
    super(`the execution ${executionId} is of another team or flow`);
  }
}

/** A run that was to be started has ended before. */
export class RunEnded extends WriterError {
  constructor(
    readonly executionId: string,
    readonly ended: Ended,
  ) {
    super(`the execution ${executionId} has ended: ${ended.status}`);
  }
}

/** A step that is to end has ended in another way. */
export class StepEnded extends WriterError {
  constructor(
    readonly stepInstanceId: string,
    readonly status: string,
  ) {
    super(`the step ${stepInstanceId} has ended: ${status}`);
  }
}

/** The writer was closed before. */
export class WriterClosed extends WriterError {
  constructor() {
    super('the writer is closed');
  }
}

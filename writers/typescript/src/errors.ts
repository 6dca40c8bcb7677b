// The errors of a writer.

/** How a run ended, from its record. */
export interface Ended {
  /** `null` if the run was deleted. */
  readonly status: 'COMPLETED' | 'FAILED' | 'CANCELLED' | null;
  readonly cancelledBy: string | null;
  readonly cancelReason: string | null;
  readonly endTime: string | null;
}

/** A record that the table refused, and the reason. */
export interface Refusal {
  readonly pk: string;
  readonly sk: string;
  /** DynamoDB's message. */
  readonly message: string;
}

/** The base class of a writer's errors. */
export class WriterError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** A parameter does not match the record format. Nothing was written. */
export class InvalidRecord extends WriterError {
  constructor(
    readonly field: string,
    problem: string,
  ) {
    super(`${field} ${problem}`);
  }
}

/** A value has more JSON text than readers accept. Nothing was written. */
export class PayloadTooLarge extends WriterError {
  constructor(
    readonly field: string,
    maximumBytes: number,
  ) {
    super(`${field} has more than ${maximumBytes} bytes of JSON: write a smaller value`);
  }
}

/** The table refused one or more records because of their content. All others are written. */
export class RecordRefused extends WriterError {
  constructor(
    readonly refusals: readonly Refusal[],
    options?: ErrorOptions,
  ) {
    super(refusals.map(({ pk, sk, message }) => `${pk} ${sk}: ${message}`).join('; '), options);
  }
}

/** The table did not answer in time. Buffered records are kept and retried. */
export class Unavailable extends WriterError {}

/** The id belongs to a run of another flow. For a run of another team, it is an `OtherTeam`. */
export class IdTaken extends WriterError {
  constructor(
    readonly executionId: string,
    message = `a run of another flow has the id ${executionId}: use another id`,
  ) {
    super(message);
  }
}

/**
 * The execution id belongs to another team: ids are unique across all teams of a table. That
 * team's run was not changed. Use another id. If a heartbeat or an end throws this error, the run
 * was deleted and another team has reused its id: stop the run.
 */
export class OtherTeam extends IdTaken {
  constructor(executionId: string) {
    super(executionId, `the execution id ${executionId} belongs to another team: use another id`);
  }
}

/** The run exists already, and has ended. */
export class RunEnded extends WriterError {
  constructor(
    readonly executionId: string,
    readonly ended: Ended,
  ) {
    super(`the execution ${executionId} has ended: ${ended.status}`);
  }
}

/** The step has already ended with another status. */
export class StepEnded extends WriterError {
  constructor(
    readonly stepInstanceId: string,
    readonly status: string,
  ) {
    super(`the step ${stepInstanceId} has ended: ${status}`);
  }
}

/** The writer is closed. */
export class WriterClosed extends WriterError {
  constructor() {
    super('the writer is closed');
  }
}

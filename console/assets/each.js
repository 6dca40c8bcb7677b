// Owns concurrent work on a list, with a limit on how many entries are processed at a time.

/**
 * Processes a list. After a failure no further entry is started, so that a busy server does not
 * receive all remaining requests.
 * @template T @param {T[]} list @param {number} concurrency
 * @param {(entry: T) => Promise<void>} work
 */
export async function eachOf(list, concurrency, work) {
  const queue = [...list];
  const worker = async () => {
    while (queue.length > 0) await work(queue.shift());
  };
  const stop = (error) => {
    queue.length = 0;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, queue.length) }, () => worker().catch(stop)));
}

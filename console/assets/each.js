// Owns doing the same for many, a few at a time.

/**
 * Works through a list. After a failure nothing more is begun: what is refused because the
 * server is busy is not to be followed by all the others.
 * @template T
 * @param {T[]} list
 * @param {number} atOnce
 * @param {(entry: T) => Promise<void>} work
 */
export async function eachOf(list, atOnce, work) {
  const queue = [...list];
  const worker = async () => {
    while (queue.length > 0) await work(queue.shift());
  };
  const stop = (error) => {
    queue.length = 0;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, queue.length) }, () => worker().catch(stop)));
}

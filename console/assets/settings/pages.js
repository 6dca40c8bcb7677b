// Owns lists with page tokens: the first page is read immediately, and more pages are added on
// request.
import { useEffect, useRef, useState } from "preact/hooks";

/**
 * @template T
 * @param {(nextToken: ?string, signal: AbortSignal) => Promise<{items: T[], nextToken: ?string}>} load
 * @param {string} key what is read; a new key restarts the list
 * @returns {{items: ?T[], more: boolean, loading: boolean, error: ?Error, loadMore: () => void, reload: () => void,
 *   update: (change: (items: T[]) => T[]) => void}}
 */
export function usePages(load, key) {
  const [state, setState] = useState({ items: null, nextToken: null, loading: true, error: null });
  const controller = useRef(null);
  const latest = useRef(load);
  latest.current = load;
  const read = async (nextToken, before) => {
    controller.current?.abort();
    const mine = (controller.current = new AbortController());
    setState((old) => ({ ...old, loading: true, error: null }));
    try {
      const page = await latest.current(nextToken, mine.signal);
      if (mine.signal.aborted) return;
      setState({ items: [...before, ...page.items], nextToken: page.nextToken ?? null, loading: false, error: null });
    } catch (error) {
      if (!mine.signal.aborted) setState((old) => ({ ...old, loading: false, error }));
    }
  };
  useEffect(() => {
    setState({ items: null, nextToken: null, loading: true, error: null });
    read(null, []);
    return () => controller.current?.abort();
  }, [key]);
  return {
    ...state,
    more: state.nextToken !== null,
    loadMore: () => read(state.nextToken, state.items ?? []),
    reload: () => read(null, []),
    update: (change) => setState((old) => ({ ...old, items: old.items && change(old.items) })),
  };
}

/** How the heap of this process grows. */
import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap grow to three times what is alive before all of it is searched for garbage. V8 counts the
 * bytes of buffers that pass through as growth; while it chooses the factor itself, a small heap with fast
 * streams is searched again and again, for a third of the time.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=200');
}

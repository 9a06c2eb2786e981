/** A call whose end is told and whose failure is no more than that. */
export function settle(call: Promise<unknown>, done: (isDone: boolean) => void): void {
  call.then(
    () => done(true),
    () => done(false),
  );
}

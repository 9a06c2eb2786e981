/** Where the binders are, when the program does not say. */

/** The addresses in `RINGBINDER_BINDERS`, separated by commas. */
export function bindersFromEnvironment(): readonly string[] {
  return addressesIn(process.env['RINGBINDER_BINDERS'] ?? '');
}

export function addressesIn(list: string): readonly string[] {
  return list
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
}

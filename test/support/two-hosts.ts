/**
 * Two hosts on one machine: network namespaces joined by a link that can be cut, each reachable from
 * the test over a link of its own that stays.
 */
import { spawnSync } from 'node:child_process';

const run = (command: string): { readonly ok: boolean; readonly text: string } => {
  const [name = '', ...args] = command.split(' ');
  const { status, stderr, error } = spawnSync(name, args, { encoding: 'utf8' });
  return { ok: status === 0, text: error?.message ?? stderr };
};

/** Why two hosts can't be had here; undefined when they can. */
export function whyNoHosts(): string | undefined {
  const name = `rb-probe-${process.pid}`;
  const made = run(`ip netns add ${name}`);
  if (!made.ok) return `no network namespaces: ${made.text.trim()}`;
  const filter = run(`ip netns exec ${name} iptables -L -n`);
  run(`ip netns del ${name}`);
  return filter.ok ? undefined : `no iptables: ${filter.text.trim()}`;
}

export type Host = {
  readonly namespace: string;
  /** Address towards the other host. */
  readonly address: string;
  /** Address towards the test. */
  readonly testAddress: string;
};

export class TwoHosts implements Disposable {
  readonly hosts: readonly [Host, Host];
  readonly #tag = String(process.pid % 10_000);

  constructor() {
    this.hosts = [this.#host('a', 1), this.#host('b', 2)];
    const [a, b] = this.hosts;
    for (const { namespace } of this.hosts) this.#must(`ip netns add ${namespace}`);
    this.#link(
      [a.namespace, 'peers', `${a.address}/24`],
      [b.namespace, 'peers', `${b.address}/24`],
    );
    for (const [index, { namespace, testAddress }] of this.hosts.entries()) {
      const here = `rb${this.#tag}h${index}`;
      this.#must(`ip link add ${here} type veth peer name test netns ${namespace}`);
      this.#must(`ip address add ${testAddress.replace(/\d+$/, '254')}/24 dev ${here}`);
      this.#must(`ip link set ${here} up`);
      this.#must(`ip -n ${namespace} address add ${testAddress}/24 dev test`);
      this.#must(`ip -n ${namespace} link set test up`);
      this.#must(`ip -n ${namespace} link set lo up`);
    }
  }

  /** Nothing passes between the hosts any more, and nobody is told. */
  cut(): void {
    for (const { namespace } of this.hosts) {
      this.#must(`ip netns exec ${namespace} iptables -A INPUT -i peers -j DROP`);
    }
  }

  mend(): void {
    for (const { namespace } of this.hosts) {
      this.#must(`ip netns exec ${namespace} iptables -F INPUT`);
    }
  }

  [Symbol.dispose](): void {
    for (const { namespace } of this.hosts) run(`ip netns del ${namespace}`);
  }

  #host(side: string, index: number): Host {
    return {
      namespace: `rb-${this.#tag}-${side}`,
      address: `10.77.0.${index}`,
      testAddress: `10.78.${index}.1`,
    };
  }

  #link(
    [one, oneName, oneAddress]: readonly [string, string, string],
    [other, otherName, otherAddress]: readonly [string, string, string],
  ): void {
    this.#must(`ip -n ${one} link add ${oneName} type veth peer name ${otherName} netns ${other}`);
    this.#must(`ip -n ${one} address add ${oneAddress} dev ${oneName}`);
    this.#must(`ip -n ${other} address add ${otherAddress} dev ${otherName}`);
    this.#must(`ip -n ${one} link set ${oneName} up`);
    this.#must(`ip -n ${other} link set ${otherName} up`);
  }

  #must(command: string): void {
    const { ok, text } = run(command);
    if (!ok) throw new Error(`${command}: ${text}`);
  }
}

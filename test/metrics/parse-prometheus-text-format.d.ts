declare module 'parse-prometheus-text-format' {
  type Sample = {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value?: string;
  };
  type Family = {
    readonly name: string;
    readonly type: string;
    readonly metrics: readonly Sample[];
  };
  export default function parse(text: string): readonly Family[];
}

/** The npm package parse-prometheus-text-format 1.1.1 has no types of its own. */
declare module 'parse-prometheus-text-format' {
  const parse: (text: string) => unknown;
  export = parse;
}

/** One plain HTTP request as it stands on the wire: the path is sent as given, the reason phrase is kept, redirects are not followed. */
import { request } from "node:http";
import { gunzipSync } from "node:zlib";

export type HttpRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type HttpAnswer = {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed when it was gzip. */
  readonly body: Buffer;
};

/** `base` gives host and port; its path is not used. Fails when the connection breaks before the body's end. */
export function send(base: string, { method, path, headers = {}, body }: HttpRequest): Promise<HttpAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? "",
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          body: response.headers["content-encoding"] === "gzip" && whole.length > 0 ? gunzipSync(whole) : whole,
        });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

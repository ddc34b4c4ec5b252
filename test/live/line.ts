/**
 * The only way to the upstream that a live run is given: an HTTP proxy on loopback that tunnels, counts, and can be cut.
 * Behind a company's proxy it goes on through that one.
 */
import { createServer, request as ask } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export type Line = {
  /** For `HTTPS_PROXY`. */
  readonly url: string;
  /** Connections asked for since the last `reset`, refused ones included. */
  asked(): number;
  /** Of these, the ones that were opened. */
  opened(): number;
  /** From here on everything is refused, and what was open is closed. */
  cut(): void;
  mend(): void;
  reset(): void;
  close(): Promise<void>;
};

export async function openLine(beyond: string | undefined): Promise<Line> {
  let [asked, opened, whole] = [0, 0, true];
  const open = new Set<Duplex>();
  const keep = (socket: Duplex) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(501).end("this proxy only tunnels: the live tests need an https upstream\n");
  });
  server.on("connection", keep);
  server.on("connect", (request, client: Duplex, head: Buffer) => {
    asked += 1;
    if (!whole) return void client.end("HTTP/1.1 502 The line is cut\r\n\r\n");
    reach(request.url!, beyond).then(
      (far) => {
        keep(far);
        opened += 1;
        client.write("HTTP/1.1 200 Connected\r\n\r\n");
        far.write(head);
        far.pipe(client).pipe(far);
        far.on("close", () => client.destroy());
        client.on("close", () => far.destroy());
      },
      () => client.end("HTTP/1.1 502 Not reached\r\n\r\n"),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    opened: () => opened,
    cut() {
      whole = false;
      for (const socket of open) socket.destroy();
    },
    mend: () => void (whole = true),
    reset: () => void ([asked, opened] = [0, 0]),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** A connection to `host:port`, directly or through another proxy. */
function reach(target: string, beyond: string | undefined): Promise<Socket> {
  const { hostname, port } = new URL(`http://${target}`);
  return new Promise((resolve, reject) => {
    if (beyond === undefined) {
      const socket = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ""), () => resolve(socket));
      socket.once("error", reject);
      return;
    }
    const proxy = new URL(beyond);
    const credentials =
      proxy.username === "" ? {} : { auth: `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}` };
    ask({ host: proxy.hostname, port: proxy.port || 80, method: "CONNECT", path: target, ...credentials })
      .on("connect", (response, socket) =>
        response.statusCode === 200 ? resolve(socket as Socket) : reject(new Error(`the proxy answered ${response.statusCode}`)),
      )
      .on("error", reject)
      .end();
  });
}

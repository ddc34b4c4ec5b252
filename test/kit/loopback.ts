/** A server of the test's own on 127.0.0.1, closed with all its connections when the running test ends. */
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTcp, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { untilRefused } from "./until.ts";

export type Loopback = {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Requests as they came, oldest first. */
  readonly requests: readonly IncomingMessage[];
  readonly server: Server;
};

/** An HTTP server. */
export async function serve(answer: RequestListener): Promise<Loopback> {
  const requests: IncomingMessage[] = [];
  const server = createHttp((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/`, host: `127.0.0.1:${port}`, port, requests, server };
}

/** A bare TCP server; resolves with its port. */
export async function serveTcp(connected: (socket: Socket) => void): Promise<number> {
  return listen(
    createTcp({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      connected(socket);
    }),
  );
}

/** Opens any server on a free port for the time of the running test. */
export async function listen(server: TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** A port of 127.0.0.1 that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await untilRefused(port);
  return port;
}

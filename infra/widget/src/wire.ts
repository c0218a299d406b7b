// One socket at a time: gives up on one that does not open or has stopped answering. What is said on it is the
// session's affair.

import type { Timers } from "./timers";

export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Listener {
  opened(): void;
  heard(event: { type?: string; [field: string]: unknown }): void;
  /** It is gone, and was not let go of. */
  lost(wasOpen: boolean): void;
}

const OPEN_MS = 10_000;
const PING_MS = 240_000;
const PONG_MS = 10_000;

export class Wire {
  private socket: SocketLike | null = null;
  private end: (lost: boolean) => void = () => {};

  constructor(
    private readonly timers: Timers,
    private readonly listener: Listener,
  ) {}

  /** Puts a socket to use in place of the one before. */
  take(socket: SocketLike): void {
    this.letGo();
    let open = false;
    this.end = (lost) => {
      this.end = () => {};
      this.socket = null;
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      for (const name of ["open", "ping", "pong"]) this.timers.disarm(name);
      if (lost) this.listener.lost(open);
    };
    this.timers.arm("open", OPEN_MS, () => this.hangUp());
    socket.onclose = () => this.hangUp();
    socket.onmessage = (event) => this.hear(String(event.data));
    socket.onopen = () => {
      open = true;
      this.socket = socket;
      this.timers.disarm("open");
      this.listener.opened();
    };
  }

  tell(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  /** Tells something that is always answered; silence ends the socket. */
  ask(message: object): void {
    this.tell(message);
    this.timers.arm("pong", PONG_MS, () => this.hangUp());
    this.timers.arm("ping", PING_MS, () => this.ping());
  }

  ping(): void {
    this.ask({ action: "ping" });
  }

  /** Ends the socket as if it had broken. */
  hangUp(): void {
    this.end(true);
  }

  letGo(): void {
    this.end(false);
  }

  private hear(data: string): void {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    this.timers.disarm("pong");
    this.listener.heard(event);
  }
}

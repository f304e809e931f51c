// The game servers: node server.mjs plain|pinging|colyseus. Prints its port, and ends with its standard input.
// A client can ask for an echo, for a flood that does not stop, and for the server to drop the connection without a word.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const bulk = randomBytes(48 << 10).toString('base64'); // 64 KiB that permessage-deflate makes no smaller

const servers = { plain, pinging: () => plain(200), colyseus };
process.stdin.on('end', () => process.exit(0)).resume();
console.log(await servers[process.argv[2]]());

async function plain(ping) {
  const { WebSocketServer } = await import('ws');
  const http = createServer((_, response) => response.end('hello'));
  const server = new WebSocketServer({ server: http, perMessageDeflate: true });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    if (ping) {
      const timer = setInterval(() => socket.ping(), ping);
      socket.on('close', () => clearInterval(timer));
    }
    socket.on('message', (data, binary) => {
      const text = String(data).replaceAll('"', '');
      if (text === 'die') return socket._socket.destroy();
      if (text === 'flood') return flood(() => socket.readyState === 1 && socket.send(`"${bulk}"`));
      socket.send(data, { binary });
    });
  });
  return listen(http);
}

async function colyseus() {
  globalThis.WebSocket ??= (await import('ws')).WebSocket; // Node has none before 22, and a room needs it when a client comes back
  const { Server, Room } = await import('@colyseus/core');
  const { WebSocketTransport } = await import('@colyseus/ws-transport');
  const sockets = new Map();
  class Arena extends Room {
    static async onAuth(_, options, context) {
      const user = context.headers.get('x-auth-user');
      if (!user) throw new Error('the gate names every player');
      return { user };
    }
    onCreate() {
      this.autoDispose = false;
      this.onMessage('echo', (client, message) => client.send('echo', { text: message.text, user: client.auth.user }));
      this.onMessage('die', (client) => client.ref._socket?.destroy() ?? client.ref.terminate());
      this.onMessage('flood', (client) => flood(() => client.ref.readyState === 1 && (client.send('flood', bulk), true)));
    }
    async onDrop(client) { await this.allowReconnection(client, 20); }
    onLeave(client) { sockets.delete(client.sessionId); }
  }
  const http = createServer();
  const server = new Server({ greet: false, transport: new WebSocketTransport({ server: http, pingInterval: 500, pingMaxRetries: 60 }) });
  server.define('arena', Arena);
  await server.listen(0, '127.0.0.1');
  return http.address().port;
}

function flood(send) {
  const timer = setInterval(() => {
    for (let i = 0; i < 32; i++) if (send() === false) return clearInterval(timer);
  }, 5);
}

async function listen(http) {
  await new Promise((done) => http.listen(0, '127.0.0.1', done));
  return http.address().port;
}

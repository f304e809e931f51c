// Drives nakama-js for the tests: each line of standard input is a call {id, op, …}, each line of standard output its
// answer {id, ok, status, result} or what happened to a socket {socket, event, …}.
import { createInterface } from 'node:readline';
import { Client, Session } from '@heroiclabs/nakama-js';
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from 'amazon-cognito-identity-js';
import ws from 'ws';

// What nakama-js takes for granted in a browser.
globalThis.WebSocket = ws;
globalThis.window = globalThis;
console.log = console.error; // nakama-js warns of short sessions there; standard output is ours

const print = line => process.stdout.write(JSON.stringify(line) + '\n');
const clients = new Map();
const sockets = new Map();

function client({ port, key = 'defaultkey' }) {
  const name = `${key}@${port}`;
  if (!clients.has(name)) clients.set(name, new Client(key, '127.0.0.1', String(port), false, 7000, false));
  return clients.get(name);
}

const session = c => new Session(c.token, c.refresh ?? '', false);
const tokens = s => ({ token: s.token, refresh: s.refresh_token, created: s.created, user: s.user_id, username: s.username, vars: s.vars });

const ops = {
  // srp signs in as a player's client does; the password never leaves it.
  srp: ({ endpoint, pool, clientID, username, password }) => new Promise((resolve, reject) => {
    const user = new CognitoUser({ Username: username, Pool: new CognitoUserPool({ UserPoolId: pool, ClientId: clientID, endpoint }) });
    user.authenticateUser(new AuthenticationDetails({ Username: username, Password: password }), {
      onSuccess: s => resolve({ id: s.getIdToken().getJwtToken(), access: s.getAccessToken().getJwtToken() }), onFailure: reject,
    });
  }),
  custom: async c => tokens(await client(c).authenticateCustom(c.account, c.create, c.username, c.vars)),
  device: async c => tokens(await client(c).authenticateDevice(c.account, c.create, c.username, c.vars)),
  email: async c => tokens(await client(c).authenticateEmail(c.account, 'a-long-password', c.create, c.username, c.vars)),
  refresh: async c => tokens(await client(c).sessionRefresh(session(c), c.vars)),
  logout: c => client(c).sessionLogout(session(c), c.token_ ?? c.token, c.refresh ?? ''),
  account: c => client(c).getAccount(session(c)),
  rename: c => client(c).updateAccount(session(c), { username: c.username }),
  linkCustom: c => client(c).linkCustom(session(c), { id: c.account }),
  linkDevice: c => client(c).linkDevice(session(c), { id: c.account }),
  unlinkCustom: c => client(c).unlinkCustom(session(c), { id: c.account }),
  rpc: async c => (await client(c).rpc(session(c), c.name, c.payload)).payload,
  async open(c) {
    const socket = client(c).createSocket(false, false);
    socket.ondisconnect = e => print({ socket: c.socket, event: 'close', code: e.code, reason: e.reason });
    socket.onnotification = n => print({ socket: c.socket, event: 'notification', code: n.code, reason: n.subject });
    socket.onerror = () => {};
    if (c.heartbeat) socket.setHeartbeatTimeoutMs(c.heartbeat);
    await socket.connect(session(c), true, c.timeout ?? 10000);
    sockets.set(c.socket, socket);
    socket.adapter._socket.on('ping', () => print({ socket: c.socket, event: 'ping' }));
  },
  socketRPC: async c => (await sockets.get(c.socket).rpc(c.name, JSON.stringify(c.payload))).payload,
  // mute answers no ping any more, as a client whose network is gone.
  mute: c => { sockets.get(c.socket).adapter._socket._autoPong = false; },
  close: c => sockets.get(c.socket).disconnect(false),
};

async function failure(error) {
  if (typeof error?.status === 'number') {
    return { status: error.status, error: await error.text().catch(() => '') };
  }
  return { status: 0, error: String(error?.message ?? error?.code ?? error) };
}

process.on('uncaughtException', error => console.error('uncaught:', error?.message));
const lines = createInterface({ input: process.stdin });
lines.on('line', async line => {
  const call = JSON.parse(line);
  try {
    print({ id: call.id, ok: true, result: (await ops[call.op](call)) ?? null });
  } catch (error) {
    print({ id: call.id, ok: false, ...(await failure(error)) });
  }
});
lines.on('close', () => process.exit(0));

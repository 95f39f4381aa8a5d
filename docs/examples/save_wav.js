#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A consumer of Steno's live audio: saves the meeting as meeting.wav, and who spoke when as
// meeting.txt, labels that Audacity imports. Needs ws (npm, or Debian's node-ws).
//
//   node save_wav.js 8765 recording &
//   steno-worker join https://meet.google.com/… --stream-input ws://127.0.0.1:8765/
'use strict';

const fs = require('fs');
const path = require('path');
const {WebSocketServer} = require('ws');

const port = Number(process.argv[2] || 8765);
const folder = process.argv[3] || '.';
fs.mkdirSync(folder, {recursive: true});

let file = null;
let rate = 0;
let written = 0; // samples: the stream time of what comes next
const since = new Map(); // name -> stream time at which they began to speak
const labels = [];

function header() {
    const bytes = Buffer.alloc(44);
    bytes.write('RIFF', 0);
    bytes.writeUInt32LE(36 + written * 2, 4);
    bytes.write('WAVEfmt ', 8);
    bytes.writeUInt32LE(16, 16);
    bytes.writeUInt16LE(1, 20); // PCM
    bytes.writeUInt16LE(1, 22); // mono
    bytes.writeUInt32LE(rate, 24);
    bytes.writeUInt32LE(rate * 2, 28);
    bytes.writeUInt16LE(2, 32);
    bytes.writeUInt16LE(16, 34);
    bytes.write('data', 36);
    bytes.writeUInt32LE(written * 2, 40);
    return bytes;
}

function audio(pcm) {
    fs.writeSync(file, pcm, 0, pcm.length, 44 + written * 2);
    written += pcm.length / 2;
}

function handshake(message) {
    if (file === null) {
        rate = message.sample_rate;
        file = fs.openSync(path.join(folder, 'meeting.wav'), 'w');
    }
    // After a reconnect the stream goes on further along: what was missed becomes silence.
    const missed = Math.round(message.offset * rate) - written;
    if (missed > 0) {
        audio(Buffer.alloc(missed * 2));
    }
}

function speakers(rows) {
    const now = written / rate;
    const speaking = new Set(rows.filter((row) => row.isSpeaking).map((row) => row.name));
    for (const name of speaking) {
        if (!since.has(name)) {
            since.set(name, now);
        }
    }
    for (const [name, start] of [...since]) {
        if (!speaking.has(name)) {
            labels.push([start, now, name]);
            since.delete(name);
        }
    }
}

function close() {
    if (file !== null) {
        speakers([]);
        fs.writeSync(file, header(), 0, 44, 0);
        fs.closeSync(file);
        labels.sort((a, b) => a[0] - b[0]);
        fs.writeFileSync(path.join(folder, 'meeting.txt'), labels.map(
            ([start, end, name]) => `${start.toFixed(3)}\t${end.toFixed(3)}\t${name}\n`).join(''));
    }
    process.exit(0);
}

const server = new WebSocketServer({host: '127.0.0.1', port});
server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
        if (isBinary) {
            audio(data);
            return;
        }
        const message = JSON.parse(data);
        if (Array.isArray(message)) {
            speakers(message);
        } else if ('protocol_version' in message) {
            handshake(message);
        }
    });
});
process.on('SIGINT', close);
process.on('SIGTERM', close);

#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// A voice agent on Steno's live audio, as small as one can be: when people have finished, it says
// back what they said, and it falls silent as soon as somebody speaks. Put a recogniser, a model and
// a synthesiser where `answer` is. Needs ws (npm, or Debian's node-ws).
//
//   node echo_agent.js 8765 &
//   steno-worker join https://meet.google.com/… --stream-input ws://127.0.0.1:8765/
'use strict';

const {WebSocketServer} = require('ws');

const PAUSE_MS = 700; // of silence: the turn is over
const BEFORE_S = 0.3; // kept from before the first word was noticed

/* What to say to what was said: 16-bit PCM in, 16-bit PCM out. */
function answer(pcm) {
    return pcm;
}

function serve(socket) {
    let rate = 24000;
    let heard = []; // of Buffer
    let length = 0; // of them, bytes
    let somebodySpeaks = false;
    let turn = null; // the timer that waits for the end of the turn

    function reply() {
        turn = null;
        socket.send(answer(Buffer.concat(heard)));
        heard = [];
        length = 0;
    }

    function speakers(rows) {
        const speaking = rows.some((row) => row.isSpeaking);
        if (speaking && !somebodySpeaks) {
            socket.send('{"type":"flush"}'); // they interrupt
            clearTimeout(turn);
            turn = null;
        } else if (somebodySpeaks && !speaking) {
            turn = setTimeout(reply, PAUSE_MS);
        }
        somebodySpeaks = speaking;
    }

    function audio(pcm) {
        heard.push(pcm);
        length += pcm.length;
        while (!somebodySpeaks && turn === null && length > BEFORE_S * rate * 2) {
            length -= heard.shift().length;
        }
    }

    socket.on('message', (data, isBinary) => {
        if (isBinary) {
            audio(data);
            return;
        }
        const message = JSON.parse(data);
        if (Array.isArray(message)) {
            speakers(message);
        } else if ('protocol_version' in message) {
            rate = message.sample_rate;
        }
    });
    socket.on('close', () => clearTimeout(turn));
}

new WebSocketServer({host: '127.0.0.1', port: Number(process.argv[2] || 8765)})
    .on('connection', serve);

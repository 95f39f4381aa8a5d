// SPDX-License-Identifier: Apache-2.0
// Sound and pictures as clients handle them that leave nothing to the browser: packets of sound are
// decoded by the page and played through WebAudio (Zoom, and Meet at times); pictures are drawn on
// canvases (Zoom).
'use strict';

const LEAD_S = 0.04; // between a packet's arrival and its sound
const GAP_S = 0.2;

class Sound {
  // how: 'element' (a stream that an audio element plays) or 'context' (the context's destination)
  constructor(how, outlet) {
    this.context = new AudioContext({sampleRate: 48000});
    this.offset = null; // context time less meeting time
    this.next = 0;
    this.sink = this.context.destination;
    if (how === 'element') {
      this.sink = this.context.createMediaStreamDestination();
      outlet.srcObject = this.sink.stream;
      outlet.play().catch(() => {});
    }
    this.gain = this.context.createGain();
    this.gain.connect(this.sink);
    this.decoder = new AudioDecoder({output: (data) => this.play(data), error: () => {}});
    this.decoder.configure({codec: 'opus', sampleRate: 48000, numberOfChannels: 1});
  }

  // An ArrayBuffer: meeting time in microseconds, then an Opus packet.
  take(message) {
    const timestamp = Number(new DataView(message).getBigUint64(0, true));
    this.decoder.decode(new EncodedAudioChunk({type: 'key', timestamp, data: message.slice(8)}));
  }

  play(data) {
    const at = data.timestamp / 1e6;
    const now = this.context.currentTime;
    const buffer = this.context.createBuffer(1, data.numberOfFrames, data.sampleRate);
    data.copyTo(buffer.getChannelData(0), {planeIndex: 0, format: 'f32-planar'});
    data.close();
    if (this.offset === null || at - this.next > GAP_S || at + this.offset < now)
      this.offset = now + LEAD_S - at;
    this.next = at + buffer.duration;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.gain);
    source.start(at + this.offset);
  }

  close() {
    this.decoder.close();
    this.context.close();
  }
}

// The band that every picture of the test meeting has at its top; see docs/test-meeting.md.
function bandBits(person, counter) {
  const value = (person << 12) | counter;
  let crc = 0;
  for (let i = 19; i >= 0; i--) {
    const top = (crc >> 5) & 1;
    crc = (crc << 1) & 0x3f;
    if (top ^ ((value >> i) & 1))
      crc ^= 0x03;
  }
  crc ^= 0b101010;
  const bits = (number, n) => [...Array(n)].map((_, i) => (number >> (n - 1 - i)) & 1);
  return [1, 0, 1, ...bits(person, 8), ...bits(counter, 12), ...bits(crc, 6), 0, 1, 0];
}

const PICTURE_FPS = 25, PICTURE_LOOP = 250;

// Draws person @number's camera at @ms of the meeting.
function drawPicture(canvas, number, ms) {
  const g = canvas.getContext('2d');
  const frame = Math.floor(ms * PICTURE_FPS / 1000) % PICTURE_LOOP;
  g.fillStyle = `hsl(${number * 67 % 360} 40% 35%)`;
  g.fillRect(0, 0, canvas.width, canvas.height);
  g.fillStyle = '#eee';
  g.beginPath();
  g.arc(canvas.width * (0.2 + 0.6 * frame / PICTURE_LOOP), canvas.height / 2, 40, 0, 7);
  g.fill();
  const height = Math.floor(canvas.height / 30) * 2;
  bandBits(number, frame).forEach((bit, i, all) => {
    const x = Math.round(i * canvas.width / all.length);
    g.fillStyle = bit ? '#f8f8f8' : '#050505';
    g.fillRect(x, 0, Math.round((i + 1) * canvas.width / all.length) - x, height);
  });
}

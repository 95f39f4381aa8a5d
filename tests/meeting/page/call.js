// SPDX-License-Identifier: Apache-2.0
// The page's side of the media: one RTCPeerConnection, whose receivers are made in the way that
// the scenario wants.
'use strict';

class Call {
  // send(message), onStream(stream), onAudio(track); channel: a data channel that the page opens,
  // onMain(): it is open
  constructor(options) {
    Object.assign(this, options);
    this.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    if (this.channel) {
      this.main = this.pc.createDataChannel(this.channel);
      this.main.binaryType = 'arraybuffer';
      this.main.addEventListener('open', () => this.onMain());
    }
    this.sections = [];
    this.queue = Promise.resolve();
    this.early = [];
    this.pc.addEventListener('track', (event) => {
      if (event.track.kind === 'audio')
        this.onAudio(event.track, event.streams[0]);
      else if (event.streams[0]) {
        Call.transform(event.receiver);
        this.onStream(event.streams[0]);
      }
    });
    this.pc.addEventListener('datachannel', (event) => {
      // The roster comes here; the page itself is told by the signalling socket.
      event.channel.binaryType = 'arraybuffer';
      this.collections = event.channel;
    });
    this.pc.addEventListener('icecandidate', (event) => {
      if (event.candidate)
        this.send({t: 'candidate', candidate: event.candidate.candidate});
    });
    this.pc.addEventListener('connectionstatechange',
      () => this.send({t: 'log', text: `connection ${this.pc.connectionState}`}));
  }

  close() {
    this.pc.close();
  }

  // One message after the other: negotiation steps must not overtake each other.
  handle(message) {
    this.queue = this.queue.then(() => this.step(message)).catch((error) =>
      this.send({t: 'log', text: `${message.t}: ${error}`}));
  }

  async step(message) {
    if (message.t === 'offer')
      await this.answer(message);
    else if (message.t === 'make_offer')
      await this.offer(message);
    else if (message.t === 'answer')
      await this.pc.setRemoteDescription({type: 'answer', sdp: message.sdp});
    if (message.t === 'candidate')
      this.early.push(message.candidate);
    if (!this.pc.remoteDescription)
      return;
    for (const candidate of this.early.splice(0))
      await this.pc.addIceCandidate({candidate, sdpMLineIndex: 0});
    if (message.t === 'answer')
      await this.sendOwn();
  }

  async answer(message) {
    this.sections = message.sections;
    if (this.receivers === 'add_track')
      this.addTracks(message.sections.slice(message.first_new));
    await this.pc.setRemoteDescription({type: 'offer', sdp: message.sdp});
    await this.sendOwn();
    if (this.receivers === 'add_track') {
      for (const transceiver of this.byRole('audio').concat(this.byRole('video'))) {
        transceiver.direction = 'recvonly';
        await transceiver.sender.replaceTrack(null);
      }
    }
    await this.pc.setLocalDescription();
    this.send({t: 'answer', sdp: this.pc.localDescription.sdp});
  }

  async offer(message) {
    this.sections = message.sections;
    for (const {role} of message.sections.slice(message.first_new)) {
      if (role === 'data')
        this.pc.createDataChannel('media-director');
      else
        this.pc.addTransceiver(role === 'mic' || role === 'audio' ? 'audio' : 'video',
          {direction: role === 'mic' || role === 'camera' ? 'sendonly' : 'recvonly'});
    }
    await this.pc.setLocalDescription();
    this.send({t: 'offer', sdp: this.pc.localDescription.sdp});
  }

  addTracks(sections) {
    for (const {role} of sections) {
      if (role === 'mic' || role === 'audio')
        this.pc.addTrack(Call.silentTrack());
      else if (role === 'camera' || role === 'video')
        this.pc.addTrack(Call.emptyTrack());
    }
  }

  static transform(receiver) {
    if (document.documentElement.dataset.transforms !== 'yes')
      return;
    if (!Call.worker) {
      const policy = trustedTypes.createPolicy('worker', {createScriptURL: (url) => url});
      Call.worker = new Worker(policy.createScriptURL('/_steno/transform.js'));
    }
    receiver.transform = new RTCRtpScriptTransform(Call.worker, {});
  }

  static silentTrack() {
    Call.context = Call.context || new AudioContext();
    return Call.context.createMediaStreamDestination().stream.getAudioTracks()[0];
  }

  static emptyTrack() {
    return document.createElement('canvas').captureStream(0).getVideoTracks()[0];
  }

  // The transceivers of a role. Sections and m-lines have the same order, but the data section
  // has no transceiver.
  byRole(role) {
    const roles = this.sections.map((s) => s.role).filter((r) => r !== 'data');
    return this.pc.getTransceivers().filter((_, i) => roles[i] === role);
  }

  // Puts microphone and camera (or nothing) on their senders.
  async sendOwn() {
    for (const [role, track] of [['mic', this.mic], ['camera', this.camera]]) {
      for (const transceiver of this.byRole(role)) {
        if (transceiver.direction !== 'sendonly')
          transceiver.direction = 'sendonly';
        await transceiver.sender.replaceTrack(track || null);
      }
    }
  }

  setOwn(role, track) {
    this[role] = track;
    if (this.pc.remoteDescription)
      this.queue = this.queue.then(() => this.sendOwn());
  }
}

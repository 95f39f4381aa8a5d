/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * audio.wav beside a recording: the mix at 16 kHz, mono, 16 bits. Grows in .work, where a SIGKILL
 * leaves it whole but for its header; media_wav_file_publish writes that and moves it. Not thread
 * safe.
 */

#define MEDIA_WAV_NAME "audio.wav"
#define MEDIA_WAV_RATE_HZ 16000

typedef struct MediaWavFile MediaWavFile;

/** Errors: MEDIA_ERROR_IO, _DISK_FULL. */
MediaWavFile *media_wav_file_new(const char *work_dir, GError **error);
/** The file stays as it is: whole up to the last flush. */
void media_wav_file_free(MediaWavFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaWavFile, media_wav_file_free)

/** @n mono samples at 48 kHz, ±1.0, that follow those before. */
void media_wav_file_push(MediaWavFile *file, const float *samples, int64_t n);

/** What was given so far goes onto the disk. Errors: MEDIA_ERROR_IO, _DISK_FULL. */
bool media_wav_file_flush(MediaWavFile *file, GError **error);

/** What the filter kept back too; nothing follows. */
bool media_wav_file_finish(MediaWavFile *file, GError **error);

/** <work_dir>/audio.wav, if there is one, gets its header and becomes <output_dir>/audio.wav. */
bool media_wav_file_publish(const char *work_dir, const char *output_dir, GError **error);

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/leaks.h"
#include "tests/media/meeting.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Children record (or finalize) and are killed; the parent recovers. The children's meeting runs on
 * a clock of its own, faster than life, which they leave in shared memory: so the parent knows at
 * what time of the meeting it killed.
 */

static _Atomic int64_t *shared_ms; /* time of the child's meeting */
static char *own_path;

G_NORETURN static void child_record(const char *dir, int fps, int mode)
{
    MediaEngineConfig config = meeting_config();
    config.output_dir = dir;
    config.mode = (MediaMode)mode;
    Meeting *meeting = meeting_new(&config);
    static const MeetingSpan all[] = {{0, 1000000}, {0, 0}};
    meeting->speech[1] = all;
    meeting->fps[1] = fps;
    meeting->fps[2] = meeting->fps[3] = 0;
    g_autoptr(GError) error = NULL;
    meeting_run(meeting, 1000);
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    for (;;) {
        meeting_run(meeting, meeting->now_ms + 20);
        atomic_store(shared_ms, meeting->now_ms);
    }
}

static int child_finalize(const char *dir)
{
    MediaFinalized finalized;
    atomic_store(shared_ms, 1);
    return media_finalize(dir, NULL, &finalized, NULL) ? 0 : 1;
}

static void share(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, sizeof *shared_ms), ==, 0);
    shared_ms = mmap(NULL, sizeof *shared_ms, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(shared_ms != MAP_FAILED);
    close(fd);
}

static GPid spawn(const char *what, const char *clock_path, const char *dir, int fps, int mode)
{
    g_autofree char *fps_text = g_strdup_printf("%d", fps);
    g_autofree char *mode_text = g_strdup_printf("%d", mode);
    char *argv[] = {own_path,  (char *)what, (char *)clock_path, (char *)dir, fps_text,
                    mode_text, NULL};
    GPid pid;
    g_autoptr(GError) error = NULL;
    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
    g_assert_no_error(error);
    return pid;
}

static void kill_and_reap(GPid pid)
{
    int status;
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_spawn_close_pid(pid);
}

/* Wait until the child's clock shows @ms; asserts that the child lives. */
static void await_clock(GPid pid, int64_t ms)
{
    while (atomic_load(shared_ms) < ms) {
        int status;
        g_assert_cmpint(waitpid(pid, &status, WNOHANG), ==, 0);
        g_usleep(200);
    }
}

typedef struct {
    char *dir, *clock_path;
} Scene;

static void scene_init(Scene *scene)
{
    g_autoptr(GError) error = NULL;
    scene->dir = g_dir_make_tmp("steno-recovery-XXXXXX", &error);
    g_assert_no_error(error);
    scene->clock_path = g_build_filename(scene->dir, "clock", NULL);
    share(scene->clock_path);
    atomic_store(shared_ms, 0);
}

static void scene_clear(Scene *scene)
{
    static const char *const names[] = {"clock", "recording.mp4", "recording.mp3",
                                        ".recording.partial"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(scene->dir, names[i], NULL);
        unlink(path);
    }
    g_assert_cmpint(rmdir(scene->dir), ==, 0);
    munmap((void *)shared_ms, sizeof *shared_ms);
    g_free(scene->dir);
    g_free(scene->clock_path);
}

static void check_recovered(const Scene *scene, double least_s)
{
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized;
    Playback playback;
    media_finalize(scene->dir, NULL, &finalized, &error);
    g_assert_no_error(error);
    g_assert_true(finalized.recovered);
    playback_load(&playback, finalized.path);
    g_test_message("killed at %.2f s: video %.2f, audio %.2f", least_s + 2, playback.video_s,
                   playback.audio_s);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpfloat(playback.audio_s, >, least_s);
    if (g_str_has_suffix(finalized.path, ".mp4")) {
        g_assert_cmpfloat(playback.video_s, >, least_s);
        g_assert_cmpfloat(fabs(playback.video_s - playback.audio_s), <, 0.3);
        g_assert_cmpuint(playback.pictures->len, >, 0);
    }
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

typedef struct {
    int fps, mode;
    int64_t at_ms; /* of the recording */
} KillCase;

static void killed_recording_is_recovered(gconstpointer data)
{
    const KillCase *c = data;
    Scene scene;
    scene_init(&scene);
    GPid pid = spawn("record", scene.clock_path, scene.dir, c->fps, c->mode);
    await_clock(pid, 1000 + c->at_ms);
    kill_and_reap(pid);
    check_recovered(&scene, (double)(atomic_load(shared_ms) - 1000) / 1000.0 - 2.0);
    scene_clear(&scene);
}

static void killed_finalizer_is_repeated(void)
{
    Scene scene;
    scene_init(&scene);
    GPid pid = spawn("record", scene.clock_path, scene.dir, 25, MEDIA_MODE_SPEAKER_VIEW);
    await_clock(pid, 31000);
    kill_and_reap(pid);
    double least_s = (double)(atomic_load(shared_ms) - 1000) / 1000.0 - 2.0;
    for (int i = 0; i < 12; i++) {
        atomic_store(shared_ms, 0);
        pid = spawn("finalize", scene.clock_path, scene.dir, 0, 0);
        while (atomic_load(shared_ms) == 0) {
            g_usleep(100);
        }
        g_usleep((gulong)(1 + i) * 1500);
        kill_and_reap(pid);
    }
    g_autoptr(GError) error = NULL;
    MediaFinalized finalized;
    media_finalize(scene.dir, NULL, &finalized, &error);
    g_assert_no_error(error);
    g_assert_false(media_has_unfinished(scene.dir));
    g_assert_cmpfloat(finalized.duration_s, >, least_s);
    media_finalized_clear(&finalized);
    scene_clear(&scene);
}

static bool changes_the_disk(uint64_t number)
{
    static const long calls[] = {SYS_write,     SYS_pwrite64, SYS_writev, SYS_rename,
                                 SYS_renameat,  SYS_unlink,   SYS_rmdir,  SYS_unlinkat,
                                 SYS_ftruncate, SYS_fsync,    SYS_mkdir,  SYS_renameat2};
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        if (number == (uint64_t)calls[i]) {
            return true;
        }
    }
    return false;
}

/* Runs the finalizer up to its @n-th system call of a kind that changes what is on the disk, and
 * kills it there, before the call is made. Returns false when it got to its end. */
static bool finalize_until_step(const char *dir, int n)
{
    pid_t pid = fork();
    if (pid == 0) {
        MediaFinalized finalized;
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(media_finalize(dir, NULL, &finalized, NULL) ? 0 : 1);
    }
    int status, step = 0;
    bool entering = true;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (;;) {
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        if (WIFEXITED(status)) {
            g_assert_cmpint(WEXITSTATUS(status), ==, 0);
            return false;
        }
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            continue;
        }
        if (entering) {
            struct __ptrace_syscall_info info = {0};
            ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
            step += changes_the_disk(info.entry.nr);
        }
        entering = !entering;
        if (step == n) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return true;
        }
    }
}

/* Killed at every single step from opening the file to removing the last working file: after each
 * the recording is whole, either by finalizing again or already. */
static void finalizer_is_killed_at_every_step(void)
{
    Scene scene;
    scene_init(&scene);
    GPid pid = spawn("record", scene.clock_path, scene.dir, 25, MEDIA_MODE_SPEAKER_VIEW);
    await_clock(pid, 4000);
    kill_and_reap(pid);
    double least_s = (double)(atomic_load(shared_ms) - 1000) / 1000.0 - 2.0;
    g_autofree char *keep = g_strconcat(scene.dir, ".keep", NULL);
    g_autofree char *save = g_strdup_printf("cp -r %s/.work %s", scene.dir, keep);
    g_autofree char *restore =
        g_strdup_printf("sh -c 'rm -rf %s/.work* %s/recording.mp4 %s/.recording.partial; cp -r %s "
                        "%s/.work'",
                        scene.dir, scene.dir, scene.dir, keep, scene.dir);
    g_assert_true(g_spawn_command_line_sync(save, NULL, NULL, NULL, NULL));
    int n = 1;
    for (; n < 2000; n++) {
        g_autoptr(GError) error = NULL;
        MediaFinalized finalized;
        bool killed = finalize_until_step(scene.dir, n);
        media_finalize(scene.dir, NULL, &finalized, &error);
        g_assert_no_error(error);
        g_assert_false(media_has_unfinished(scene.dir));
        g_assert_cmpfloat(finalized.video_s, >, least_s);
        g_assert_cmpfloat(finalized.audio_s, >, least_s);
        media_finalized_clear(&finalized);
        g_assert_true(g_spawn_command_line_sync(restore, NULL, NULL, NULL, NULL));
        if (!killed) {
            break;
        }
    }
    g_test_message("killed at each of %d steps", n - 1);
    g_assert_cmpint(n, >, 10);
    g_assert_cmpint(n, <, 2000);
    g_autofree char *clean = g_strdup_printf("rm -rf %s %s/.work", keep, scene.dir);
    g_assert_true(g_spawn_command_line_sync(clean, NULL, NULL, NULL, NULL));
    scene_clear(&scene);
}

/* A file cut anywhere, as a crash of the machine may leave it. */
static void cut_files_are_recovered(void)
{
    for (int i = 1; i <= 6; i++) {
        Scene scene;
        scene_init(&scene);
        GPid pid = spawn("record", scene.clock_path, scene.dir, 25, MEDIA_MODE_SPEAKER_VIEW);
        await_clock(pid, 7000);
        kill_and_reap(pid);
        static const char *const names[] = {"video.mp4", "audio.mp4"};
        for (gsize n = 0; n < G_N_ELEMENTS(names); n++) {
            g_autofree char *path = g_build_filename(scene.dir, ".work", names[n], NULL);
            g_autofree char *text = NULL;
            gsize size;
            g_assert_true(g_file_get_contents(path, &text, &size, NULL));
            g_assert_cmpint(truncate(path, (off_t)(size - (gsize)i * 97)), ==, 0);
        }
        check_recovered(&scene, (double)(atomic_load(shared_ms) - 1000) / 1000.0 - 2.5);
        scene_clear(&scene);
    }
}

/* A limit on the size of files stands in for a full disk: the same path through the writer. */
static void full_disk_keeps_what_there_is(void)
{
    signal(SIGXFSZ, SIG_IGN);
    MediaEngineConfig config = meeting_config();
    g_autoptr(Meeting) meeting = meeting_new(&config);
    g_autoptr(GError) error = NULL;
    media_engine_start_recording(meeting->engine, &error);
    g_assert_no_error(error);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){100000, before.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    meeting_run(meeting, 20000);
    setrlimit(RLIMIT_FSIZE, &before);
    g_assert_error(meeting->error, MEDIA_ERROR, MEDIA_ERROR_DISK_FULL);
    Playback playback;
    MediaFinalized finalized;
    meeting_finish(meeting, &playback, &finalized);
    g_assert_true(finalized.recovered);
    g_assert_cmpuint(playback.n_errors, ==, 0);
    g_assert_cmpuint(playback.pictures->len, >, 10);
    playback_clear(&playback);
    media_finalized_clear(&finalized);
}

static void lies_in_the_state_are_refused(void)
{
    static const char *const texts[] = {"", "[]", "{\"version\":99}", "{\"version\":1,\"mode\":7}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        Scene scene;
        scene_init(&scene);
        g_autofree char *work = g_build_filename(scene.dir, ".work", NULL);
        g_autofree char *path = g_build_filename(work, "state.json", NULL);
        g_autoptr(GError) error = NULL;
        MediaFinalized finalized;
        g_assert_cmpint(g_mkdir_with_parents(work, 0700), ==, 0);
        g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
        g_assert_false(media_finalize(scene.dir, NULL, &finalized, &error));
        g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT);
        unlink(path);
        rmdir(work);
        scene_clear(&scene);
    }
}

int main(int argc, char **argv)
{
    if (argc == 6) {
        share(argv[2]);
        if (strcmp(argv[1], "record") == 0) {
            child_record(argv[3], atoi(argv[4]), atoi(argv[5]));
        }
        return child_finalize(argv[3]);
    }
    static const KillCase cases[] = {
        {25, MEDIA_MODE_SPEAKER_VIEW, 20},   {25, MEDIA_MODE_SPEAKER_VIEW, 500},
        {25, MEDIA_MODE_SPEAKER_VIEW, 2300}, {25, MEDIA_MODE_SPEAKER_VIEW, 6780},
        {25, MEDIA_MODE_SPEAKER_VIEW, 1100}, {5, MEDIA_MODE_SPEAKER_VIEW, 7430},
        {1, MEDIA_MODE_SPEAKER_VIEW, 9990},  {0, MEDIA_MODE_SPEAKER_VIEW, 8210},
        {0, MEDIA_MODE_AUDIO_ONLY, 5670},
    };
    g_test_init(&argc, &argv, NULL);
    own_path = argv[0];
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/recovery/killed_%s_at_%dfps_after_%dms",
                            cases[i].mode == MEDIA_MODE_AUDIO_ONLY ? "sound" : "pictures",
                            cases[i].fps, (int)cases[i].at_ms);
        g_test_add_data_func(path, &cases[i], killed_recording_is_recovered);
    }
    g_test_add_func("/recovery/killed_finalizer_is_repeated", killed_finalizer_is_repeated);
    g_test_add_func("/recovery/finalizer_is_killed_at_every_step",
                    finalizer_is_killed_at_every_step);
    g_test_add_func("/recovery/cut_files_are_recovered", cut_files_are_recovered);
    g_test_add_func("/recovery/full_disk_keeps_what_there_is", full_disk_keeps_what_there_is);
    g_test_add_func("/recovery/lies_in_the_state_are_refused", lies_in_the_state_are_refused);
    return leaks_test_run();
}

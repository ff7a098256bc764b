/* A disk made slow on purpose: fdatasync waits KILDE_TEST_DELAY_MS before it answers. For LD_PRELOAD. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int file)
{
	const char *asked = getenv("KILDE_TEST_DELAY_MS");
	long ms = asked ? atol(asked) : 0;
	struct timespec pause = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&pause, NULL);
	return fsync(file);
}

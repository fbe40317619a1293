/* SPDX-License-Identifier: ISC */
/* What a monitor says: whatever the guard takes for sound, the next monitor can live with. */
#include <string.h>

#include "core/message.h"
#include "core/snapshot.h"
#include "fuzz.h"

#define NOW ((int64_t)1 << 40)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf;
	static struct core core;
	static struct snapshot snapshot;
	struct message m;

	fuzz_read_conf(&conf, fuzz_upsmon_conf, strlen(fuzz_upsmon_conf), fuzz_upssched_conf,
		       strlen(fuzz_upssched_conf));
	snapshot_init(&snapshot);
	for (; size >= sizeof(m); data += sizeof(m), size -= sizeof(m)) {
		memcpy(&m, data, sizeof(m));
		if (!message_is_sound(&m, conf.ups_count, NOW))
			continue;
		if (m.kind == MESSAGE_UPS) {
			snapshot.known[m.ups] = true;
			snapshot.ups[m.ups] = m.state;
		} else if (m.kind == MESSAGE_TIMER) {
			snapshot.sched.timers[m.ups] = m.timer;
		} else if (m.kind == MESSAGE_PHASE) {
			snapshot.phase = m.phase;
			snapshot.phase_until = m.phase_until;
		}
	}
	core_init(&core, &conf, 10000, NOW);
	for (uint16_t i = 0; i < conf.ups_count; i++) {
		if (snapshot.known[i])
			core_restore_ups(&core, i, &snapshot.ups[i], NOW);
	}
	core_restore_sched(&core, &snapshot.sched);
	core_restore_phase(&core, (enum phase)snapshot.phase, snapshot.phase_until, NOW);
	fuzz_live(&core, NOW);
	return 0;
}

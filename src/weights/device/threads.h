// How many threads of the processor compute.
#pragma once

namespace labelprobe::weights {

// How many threads are used where so many are asked for; 0 = one per physical core. At most four
// for each processor that this process may use: thousands take minutes to begin.
int n_threads_of(int n_asked);

}  // namespace labelprobe::weights

// The one copy of what host.h declares.
#include "host.h"

namespace host {
thread_local Block block;
thread_local Index3 grid_index, grid_size, block_size;
} // namespace host

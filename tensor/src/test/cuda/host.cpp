// The one copy of what host.h declares.
#include "host.h"

namespace host {
Block block;
Index3 grid_index, grid_size, block_size;
} // namespace host

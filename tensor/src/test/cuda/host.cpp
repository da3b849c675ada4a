// The one copy of what host.h declares.
#include "host.h"

namespace host {
thread_local Block *block = nullptr;
thread_local Index3 grid_index, grid_size, block_size;

Block *block_of_this_thread() {
    static thread_local Block mine;
    return &mine;
}
} // namespace host

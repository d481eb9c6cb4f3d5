// What a header of libtorch (ProcessGroupGloo.hpp) names of Gloo, whose own headers the wheels
// leave out. It is declared as far as that header needs to be read: nothing of it is defined or
// called here. Real headers of Gloo come before these where there are any.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo

# Writes what libtorch's header for Gloo (ProcessGroupGloo.hpp) names of Gloo, whose own headers the wheels leave out, into
# FOLDER/gloo. It is declared as far as that header needs to be read; nothing of it is defined or called here. Headers of the
# distribution may be too old for it.
function(labelprobe_declare_gloo folder)
  foreach(header algorithm.h common/error.h)
    file(CONFIGURE OUTPUT "${folder}/gloo/${header}" CONTENT "#pragma once\n")
  endforeach()
  file(CONFIGURE OUTPUT "${folder}/gloo/context.h" CONTENT [[
#pragma once
#include <chrono>
namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo
]])
  file(CONFIGURE OUTPUT "${folder}/gloo/rendezvous/store.h" CONTENT [[
#pragma once
#include <chrono>
#include <string>
#include <vector>
namespace gloo::rendezvous {
class Store {
 public:
  virtual ~Store();
  virtual void set(const std::string& key, const std::vector<char>& value) = 0;
  virtual std::vector<char> get(const std::string& key) = 0;
  virtual void wait(const std::vector<std::string>& keys) = 0;
  virtual void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout) = 0;
};
}  // namespace gloo::rendezvous
]])
  file(CONFIGURE OUTPUT "${folder}/gloo/transport/device.h" CONTENT [[
#pragma once
namespace gloo::transport {
class Device;
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};
}  // namespace gloo::transport
]])
endfunction()

#include "server/gate.h"

#include <thread>

#include "support/catch.h"

using labelprobe::server::Gate;

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("Requests pass a gate at the rate that was asked for", "[server]") {
  Gate gate(60 * 100);  // one in 10 ms
  const double seconds = seconds_of([&] {
    for (int i = 0; i < 6; ++i) CHECK(gate.pass());
  });
  CHECK(seconds >= 0.05);
}

TEST_CASE("A gate without a rate lets everything pass, until it is held", "[server]") {
  Gate gate(0);
  for (int i = 0; i < 1000; ++i) REQUIRE(gate.pass());
  gate.hold(0.03);
  CHECK(seconds_of([&] { CHECK(gate.pass()); }) >= 0.02);
}

TEST_CASE("Who waits at a gate that closes is turned away at once", "[server]") {
  Gate gate(0);
  gate.hold(600);
  std::thread closing([&] { gate.close(); });
  CHECK_FALSE(gate.pass());
  CHECK_FALSE(gate.sleep(600));
  closing.join();
}

// Names of processors as logs say them, from lists of processors as systems write them.
#include "weights/device/processor_name.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::weights {
namespace {

std::string name_in(const std::string& cpuinfo) {
  const support::TempFolder folder;
  support::write_file(folder.path() / "cpuinfo", cpuinfo);
  return processor_name(folder.path() / "cpuinfo");
}

}  // namespace

TEST_CASE("A processor has the name that its system gives it", "[unit]") {
  CHECK(name_in("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 106\nmodel name\t: Intel(R) "
                "Xeon(R) 8375C\n") == "Intel(R) Xeon(R) 8375C");
}

TEST_CASE("A processor of aarch64 is named by its numbers", "[unit]") {
  const std::string before =
      "processor\t: 0\nBogoMIPS\t: 2000.00\nFeatures\t: fp asimd sve2\nCPU implementer\t: 0x41\n"
      "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: ";
  CHECK(name_in(before + "0xd4f\nCPU revision\t: 0\n") == "Neoverse-V2");
  CHECK(name_in(before + "0xfff\n") == "aarch64 0x41:0xfff");
}

TEST_CASE("A system that says nothing of its processor leaves it without a name", "[unit]") {
  CHECK(name_in("processor\t: 0\nmodel name\t:\n").empty());
  CHECK(processor_name("/no/such/file").empty());
}

}  // namespace labelprobe::weights

// Runs of which any call to the system fails, once or from then on, and that are given again.
#include "support/faults.h"

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"

#include "record/commands.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using support::contents_of;

const std::vector<std::string> kErrors = {"EIO",    "ENOSPC", "EDQUOT", "EROFS",
                                          "ESTALE", "EMFILE", "ENOMEM"};

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"a new folder", [](const fs::path&) {},
       [](const fs::path& root) { return make_request(root); }},
      {"a folder whose experiments are aggregated",
       [](const fs::path& root) { run_command(make_plain_request(root, 5)); },
       [](const fs::path& root) { return make_plain_request(root); }},
      {"failed items that are computed again",
       [](const fs::path& root) {
         run_command(make_plain_request(root), {}, {"a", "d"});
       },
       [](const fs::path& root) {
         RunRequest request = make_plain_request(root);
         request.retries_failed = true;
         return request;
       }},
  };
  return all;
}

// Whether the command met the fault; what it says has to be of the kinds that are no bugs.
bool meets(const RunRequest& request, const std::string& fault) {
  support::plan_faults(
      {.roots = request.log_root.string(), .fault = fault, .command = "", .list = ""});
  try {
    run_command(request);
  } catch (const ConfigError& error) {
    CHECK_THAT(error.what(), ContainsSubstring(request.log_root.string()));
  } catch (const DataError& error) {
    CHECK_THAT(error.what(), ContainsSubstring(request.log_root.string()));
  } catch (const fs::filesystem_error& error) {
    CHECK(error.path1().string().starts_with(request.log_root.string()));
  }
  const long n_seen = support::n_calls_seen();
  support::plan_faults({});
  return n_seen > std::stol(fault.substr(fault.find(':') + 1));
}

TEST_CASE("Whichever call fails, the same command ends in the same bytes", "[resume]") {
  for (const Scenario& scenario : scenarios()) {
    const support::TempFolder whole;
    scenario.prepare(whole.path());
    run_command(scenario.request(whole.path()));
    const auto wanted = contents_of(whole.path());
    int n = 0;
    for (bool is_met = true; is_met; ++n) {
      const std::string& error = kErrors[static_cast<std::size_t>(n) % kErrors.size()];
      const support::TempFolder folder;
      scenario.prepare(folder.path());
      const RunRequest request = scenario.request(folder.path());
      const std::string fault =
          "any:" + std::to_string(n) + std::array{":", "+:", ":late-"}[n % 3] + error;
      INFO(scenario.name << ", " << fault);
      is_met = meets(request, fault);
      run_command(request);
      REQUIRE(differences(contents_of(folder.path()), wanted) == "");
    }
    INFO(scenario.name);
    CHECK(n > 80);
  }
}

}  // namespace
}  // namespace labelprobe::record

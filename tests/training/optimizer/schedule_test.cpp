#include "labelprobe/training/schedule.h"

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::training {

TEST_CASE("Schedules move the learning rate as transformers' do", "[golden]") {
  const nlohmann::json all = support::read_json(support::fixture("training/optimizer.json"));
  for (const std::string& name : kSchedules.names()) {
    const Schedule schedule = kSchedules.parse(name);
    const std::int64_t n_warmup =
        schedule == Schedule::Constant ? 0 : all.at("n_warmup_steps").get<std::int64_t>();
    const nlohmann::json& rates = all.at("schedules").at(name);
    for (std::size_t step = 0; step < rates.size(); ++step) {
      CAPTURE(name, step);
      CHECK(schedule_factor(schedule, static_cast<std::int64_t>(step), n_warmup, 20) ==
            Approx(rates[step].get<double>()).margin(1e-12));
    }
  }
}

TEST_CASE("A plain constant schedule has no warm-up, as published", "[unit]") {
  CHECK(n_warmup_steps(Schedule::Constant, 0.03, 100) == 0);
  CHECK(n_warmup_steps(Schedule::Cosine, 0.03, 101) == 4);
}

}  // namespace labelprobe::training

// The data options of a command that looks at one data set once: no grids.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "labelprobe/core/error.h"

#include "app/options/option_reader.h"

namespace labelprobe::app {

class DataOptions {
 public:
  // Declares them on a subcommand, with --config; must live until it has run.
  void declare(CLI::App& app) { reader_.declare(app, std::array{kDataGroup}); }

  // Throws ConfigError as OptionReader::read(), and for several values where one is meant.
  Options read() const {
    std::vector<Options> all = reader_.read();
    if (all.size() != 1) {
      throw ConfigError("expected one value of each data option, found several of some");
    }
    return std::move(all.front());
  }

 private:
  OptionReader reader_;
};

}  // namespace labelprobe::app

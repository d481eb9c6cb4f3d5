// The data options of a command that looks at one data set once: no grids.
#pragma once

#include <array>

#include <CLI/CLI.hpp>

#include "labelprobe/core/error.h"

#if __has_include("option_reader.h")
#include "option_reader.h"
#else
#include "options.h"
#endif

namespace labelprobe::app {

class DataOptions {
 public:
  // Declares them on a subcommand, with --config; must live until it has run.
  void declare(CLI::App& app) { reader_.declare(app, std::array{kDataGroup}); }

  // Throws ConfigError as OptionReader::read(), and for several values where one is meant.
#if __has_include("option_reader.h")
  Options read() {
    std::vector<Options> all = reader_.read();
    if (all.size() != 1) {
      throw ConfigError("expected one value of each data option, found " +
                        std::to_string(all.size()) + " combinations of several");
    }
    return std::move(all.front());
  }

 private:
  OptionReader reader_;
#else
  Options read() {
    reader_.resolve();
    return reader_;
  }

 private:
  Options reader_;
#endif
};

}  // namespace labelprobe::app

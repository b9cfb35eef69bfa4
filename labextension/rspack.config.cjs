/** What the builder does not do by itself: style sheets are bundled without spaces and comments. */
module.exports = {
  module: {
    rules: [
      {
        test: /\.css$/,
        include: `${__dirname}/style`,
        enforce: 'pre',
        loader: 'builtin:lightningcss-loader',
        options: { minify: true }
      }
    ]
  }
};

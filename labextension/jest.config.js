module.exports = {
  testEnvironment: 'node',
  testRegex: 'src/.*/__tests__/.*\\.spec\\.ts$',
  transform: {
    // types are checked by `npm run check`, all files at once
    '^.+\\.tsx?$': [
      'ts-jest',
      {
        tsconfig: {
          module: 'commonjs',
          target: 'es2022',
          esModuleInterop: true,
          isolatedModules: true,
          jsx: 'react'
        }
      }
    ]
  },
  transformIgnorePatterns: ['/node_modules/(?!@dagrejs|@lumino)']
};
